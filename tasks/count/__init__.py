"""What changed since the last publication, counted; revisions of what is published."""
