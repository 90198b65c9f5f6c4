{# The rows of the new files of a feed, in the types of dbt_project.yml. #}
{% macro delivered(files, feed, dates='%d/%m/%Y', times='%d/%m/%Y %H:%M:%S') -%}
SELECT * FROM read_csv('{{ var("inbox") }}/{{ files }}', header = true, columns = {{ var(feed) }}, dateformat = '{{ dates }}', timestampformat = '{{ times }}')
{%- endmacro %}
