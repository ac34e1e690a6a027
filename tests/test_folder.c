/*
 * Tests of base/folder.h.
 *
 * What is known without running it: afterwards the folder is there, however much of its path was,
 * and it is refused where something else stands in its place. (That it is still there after a power
 * cut cannot be seen from here.)
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct folder_case {
    char path[48]; /* "@" is a fresh folder that holds a file "file" */
    int status, error;
};

ParameterizedTestParameters(folder, is_made_or_refused)
{
    static struct folder_case cases[] = {
        {"@", ST_OK, 0},
        {"@/", ST_OK, 0},
        {"@/a", ST_OK, 0},
        {"@/a/b/c", ST_OK, 0},
        {"@//a///b/", ST_OK, 0},
        {"@/a/../b", ST_OK, 0},
        {"relative", ST_OK, 0},
        {"relative/more", ST_OK, 0},
        {"./here", ST_OK, 0},
        {"/", ST_OK, 0},
        {"@/file", ST_EIO, ENOTDIR},
        {"@/file/a", ST_EIO, ENOTDIR},
        {"/proc/no/such", ST_EIO, ENOENT},
        {"", ST_EINVAL, 0},
    };
    return cr_make_param_array(struct folder_case, cases, LEN(cases));
}

ParameterizedTest(struct folder_case *c, folder, is_made_or_refused)
{
    char fresh[] = "/tmp/freshet-folder-XXXXXX", path[128], command[128];
    cr_assert(ne(ptr, mkdtemp(fresh), NULL));
    cr_assert(eq(int, chdir(fresh), 0));
    fclose(fopen("file", "w"));
    snprintf(path, sizeof path, "%s%s", c->path[0] == '@' ? fresh : "",
             c->path + (c->path[0] == '@'));
    errno = 0;
    cr_expect(eq(int, folder_make(path), c->status), "%s", c->path);
    if (c->error)
        cr_expect(eq(int, errno, c->error), "%s", c->path);
    struct stat info;
    if (c->status == ST_OK)
        cr_expect(stat(path, &info) == 0 && S_ISDIR(info.st_mode), "%s", c->path);
    cr_expect(eq(int, folder_make(path), c->status), "%s: again", c->path);
    snprintf(command, sizeof command, "rm -rf %s", fresh);
    cr_assert(eq(int, system(command), 0));
}

Test(folder, refuses_a_path_too_long)
{
    static char path[10000];
    memset(path, 'a', sizeof path - 1);
    cr_expect(eq(int, folder_make(path), ST_EINVAL));
}
