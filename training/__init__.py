"""How the bundled checkpoints were made, from the photographs to the finished folder."""
