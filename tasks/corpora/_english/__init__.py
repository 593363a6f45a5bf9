"""How `english` is made: fetched from package registries, cleaned, written once."""
