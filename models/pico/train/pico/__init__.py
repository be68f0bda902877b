"""The recipe of pico, lorgnette's bundled model."""
