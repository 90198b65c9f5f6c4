"""What each page shows: asked of the warehouse, a module a page or a few that belong together."""
