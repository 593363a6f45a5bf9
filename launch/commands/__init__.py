"""One file a subcommand, found by its name; a name with an underscore is shared."""
