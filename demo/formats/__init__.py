"""What Pillow leaves to us in some file formats."""
