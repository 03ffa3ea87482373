"""What all of the program stands on: paths, options, its log, names loaded late. Private."""
