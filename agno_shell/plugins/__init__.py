"""How plugins are found, loaded, called, and kept from harming each other. Private."""
