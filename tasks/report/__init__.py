"""What the night leaves for people: pages, workbook, sheets, artifacts."""
