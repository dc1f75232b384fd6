# Turn a text file into a C string: awk -v name=fan_openapi -v header=gateway/openapi.h -f embed.awk

BEGIN {
    print "/* Written by gateway/embed.awk. */"
    printf "#include \"%s\"\n\nconst char %s[] =", header, name
}
{
    gsub(/["\\?]/, "\\\\&")
    printf "\n        \"%s\\n\"", $0
}
END { print ";" }
