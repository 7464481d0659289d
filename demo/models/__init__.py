"""All that lies between a variant's name and a model that runs."""
