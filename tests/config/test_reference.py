"""The document that describes every key is made from the models."""
