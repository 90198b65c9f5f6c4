"""An edition as a folder that others can take: its tables, their descriptor, SDMX, a catalogue record, checksums."""
