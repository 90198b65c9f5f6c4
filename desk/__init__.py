"""People's entrances: the command line and its terminal. They call flows/ and tasks/, nothing calls them."""
