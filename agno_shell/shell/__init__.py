"""The terminal. Private."""
