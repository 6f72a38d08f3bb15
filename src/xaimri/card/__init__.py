"""Model cards: what a network is and how far it was tested, item by item of two reporting guidelines."""

from xaimri.card.card import Card, model_card
from xaimri.card.items import CHECKLISTS, CLAIM, TRIPOD, Checklist, Item

__all__ = ["CHECKLISTS", "CLAIM", "TRIPOD", "Card", "Checklist", "Item", "model_card"]
