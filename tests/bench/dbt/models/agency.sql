SELECT * FROM read_csv('{{ var("lookups") }}/agency.csv', header = true, all_varchar = true)
