"""What the runtime does before the towers, to the same numbers."""
