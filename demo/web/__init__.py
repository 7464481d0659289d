"""What stands between the network and the page: doors, limits, health, and the live socket."""
