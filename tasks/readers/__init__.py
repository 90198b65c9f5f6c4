"""Kinds of files → columns of text. What a cell means is `tasks.read`'s business."""
