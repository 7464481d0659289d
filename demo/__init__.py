"""Semantic segmentation with MobileViT + DeepLabV3, and the page that shows it."""
