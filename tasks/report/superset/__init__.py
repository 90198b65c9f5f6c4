"""What Apache Superset imports: the views of the mart as datasets, and dashboards in Vietnamese over them."""
