/*
 * Known without running: each folder is a new one, under $TMPDIR where that fits and exists;
 * removing takes all that is in it, and removing twice is nothing; where no folder can be made,
 * there is none.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "online/temporary.h"

Test(temporary, is_new_and_goes_with_what_it_holds)
{
    struct temporary a, b;
    cr_assert(eq(int, temporary_make(&a), ST_OK));
    cr_assert(eq(int, temporary_make(&b), ST_OK));
    cr_expect(ne(str, a.path, b.path));
    char inner[96], file[112];
    snprintf(inner, sizeof inner, "%s/models", a.path);
    snprintf(file, sizeof file, "%s/1", inner);
    cr_assert(eq(int, mkdir(inner, 0700), 0));
    FILE *to = fopen(file, "w");
    cr_assert(ne(ptr, to, NULL));
    fclose(to);
    char path[64];
    snprintf(path, sizeof path, "%s", a.path);
    temporary_remove(&a);
    cr_expect(ne(int, access(path, F_OK), 0));
    cr_expect(eq(int, access(b.path, F_OK), 0));
    temporary_remove(&a);
    temporary_remove(&b);
}

Test(temporary, is_where_the_environment_says)
{
    struct temporary outer, inner;
    cr_assert(eq(int, temporary_make(&outer), ST_OK));
    setenv("TMPDIR", outer.path, 1);
    cr_assert(eq(int, temporary_make(&inner), ST_OK));
    cr_expect(eq(int, strncmp(inner.path, outer.path, strlen(outer.path)), 0), "%s", inner.path);
    temporary_remove(&outer);
    cr_expect(ne(int, access(inner.path, F_OK), 0));
    cr_expect(eq(int, temporary_make(&inner), ST_EIO), "its parent is gone");
    cr_expect(eq(str, inner.path, ""));
    temporary_remove(&inner);
}
