# Turn sql/migrations/NNNN_name.sql, in the order of their numbers, into the table fan_migrations.
# The text is kept to the byte, comments too: its checksum is part of a database's history.

function quoted(text)
{
    gsub(/["\\?]/, "\\\\&", text)   # question marks too: no trigraphs
    return "\"" text "\\n\""
}

function finish()
{
    if (number)
        print ",\n    },"
}

BEGIN {
    print "/* Written by sql/migrations.awk from sql/migrations/. */"
    print "#include \"sql/migrate.h\"\n\nconst struct fan_migration fan_migrations[] = {"
}

FNR == 1 {
    finish()
    name = FILENAME
    sub(/.*\//, "", name)
    sub(/\.sql$/, "", name)
    if (name !~ /^[0-9][0-9][0-9][0-9]_[a-z0-9_]+$/ || name + 0 != number + 1) {
        print FILENAME ": expected migration " number + 1 " as NNNN_name.sql" > "/dev/stderr"
        failed = 1
        exit 1
    }
    number = name + 0
    printf "    {\n        .number = %d,\n        .name = \"%s\",\n        .sql =", number, name
}
{ printf "\n            %s", quoted($0) }

END {
    if (failed)
        exit 1
    finish()
    print "    { 0 },\n};"
}
