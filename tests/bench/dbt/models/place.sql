SELECT * FROM read_csv('{{ var("lookups") }}/place.csv', header = true, all_varchar = true)
