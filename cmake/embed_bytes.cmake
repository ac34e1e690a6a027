# cmake -DFROM=FILE -DTO=C_FILE -DSYMBOL=NAME -P: FILE's bytes as NAME[] and their number as NAME_len.
file(READ ${FROM} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "(char)0x\\1," bytes "${hex}")
file(WRITE ${TO} "#include <stddef.h>
extern const char ${SYMBOL}[];
extern const size_t ${SYMBOL}_len;
const char ${SYMBOL}[] = {${bytes}};
const size_t ${SYMBOL}_len = sizeof ${SYMBOL};
")
