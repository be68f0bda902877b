"""The three parts of pico in JAX. Parameters are one flat dictionary, with the names and shapes of Hugging Face."""
