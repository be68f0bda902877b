"""The world that pico knows: labels, displays and shelves as drawn here, and what is asked about them."""
