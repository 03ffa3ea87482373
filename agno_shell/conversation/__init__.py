"""The engine: conversations without a terminal. Private."""
