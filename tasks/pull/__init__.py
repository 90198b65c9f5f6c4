"""From a source to the landing: folders, SFTP, HTTP, the one-stop-shop's API."""
