# Turn sql/queries/<aggregate>.sql into C: a block "-- name: chunk_claim" becomes fan_q_chunk_claim.
# With -v header=1 the declarations, otherwise the definitions. Comment lines and the last semicolon
# go.

function quoted(text, end)
{
    gsub(/["\\?]/, "\\\\&", text)   # question marks too: no trigraphs
    return "\"" text end "\""
}

function finish(    i, last)
{
    if (name == "")
        return
    while (lines > 0 && line[lines] ~ /^[ \t]*$/)
        lines--
    if (lines == 0)
        broken("query " name " has no statement")
    last = line[lines]
    sub(/[ \t]*;[ \t]*$/, "", last)
    line[lines] = last
    if (header) {
        printf "extern const struct fan_query fan_q_%s;\n", name
    } else {
        printf "\nconst struct fan_query fan_q_%s = {\n", name
        printf "    .name = \"%s\",\n    .file = \"%s\",\n    .sql =", name, aggregate
        for (i = 1; i <= lines; i++)
            printf "\n        %s", quoted(line[i], i < lines ? "\\n" : "")
        print ",\n};"
    }
    names[++count] = name
    name = ""
    lines = 0
}

function broken(why)
{
    print FILENAME ":" FNR ": " why > "/dev/stderr"
    failed = 1
    exit 1
}

BEGIN {
    print "/* Written by sql/queries.awk from sql/queries/. */"
    if (header)
        print "#ifndef FAN_SQL_QUERIES_H\n#define FAN_SQL_QUERIES_H\n\n#include \"sql/db.h\"\n"
    else
        print "#include \"sql/queries.h\"\n\n#include <stddef.h>"
}

/^-- name:/ {
    finish()
    if ($3 !~ /^[a-z][a-z0-9_]*$/ || NF != 3)
        broken("a name is lower case: " $0)
    if ($3 in seen)
        broken("query " $3 " stands twice")
    seen[$3] = 1
    name = $3
    aggregate = FILENAME
    sub(/.*\//, "", aggregate)
    sub(/\.sql$/, "", aggregate)
    next
}
/^[ \t]*--/ { next }
/^[ \t]*$/ && lines == 0 { next }
name == "" { broken("a statement without a name") }
{ line[++lines] = $0 }

END {
    if (failed)
        exit 1
    finish()
    if (failed)
        exit 1
    if (header) {
        print "\n/* All of them; ends with NULL. */"
        print "extern const struct fan_query *const fan_queries[];\n\n#endif"
        exit
    }
    print "\nconst struct fan_query *const fan_queries[] = {"
    for (i = 1; i <= count; i++)
        printf "    &fan_q_%s,\n", names[i]
    print "    NULL,\n};"
}
