"""The plugins that every installation has, loaded by their dotted names. Private."""
