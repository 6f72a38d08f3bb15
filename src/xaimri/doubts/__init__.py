"""Reasons not to trust a map, whichever method made it: from its numbers, and by asking the model again."""
