"""The program: its parts, put together as the configuration says, and its end. Private."""
