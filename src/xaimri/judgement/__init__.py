"""What a judgement of explanations found: numbers, what follows from them, and how they are told."""

from xaimri.judgement.judgement import Judgement

__all__ = ["Judgement"]
