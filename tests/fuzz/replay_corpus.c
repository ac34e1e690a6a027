/* Runs a fuzzer once over each file of the folders that are named: what libFuzzer's main() does, in
 * builds without it. Passes with status 0; a folder without files fails. */
#include <dirent.h>

#include "tests/fuzz/fuzz.h"

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rbe");
    if (!file) {
        perror(path);
        exit(1);
    }
    struct buf bytes = {0};
    size_t n;
    while ((n = fread(buf_reserve(&bytes, 1 << 16), 1, 1 << 16, file)) > 0)
        bytes.len += n;
    fclose(file);
    fprintf(stderr, "%s\n", path); /* a crash then names its input */
    /* Exactly as long as what it holds, so that a byte too far is noticed; NULL if that is nothing,
     * as libFuzzer does. */
    uint8_t *exact = bytes.len > 0 ? malloc(bytes.len) : NULL;
    if (exact)
        memcpy(exact, bytes.data, bytes.len);
    LLVMFuzzerTestOneInput(exact, bytes.len);
    free(exact);
    buf_done(&bytes);
}

static size_t replay_folder(const char *dir)
{
    struct dirent **entries;
    int n = scandir(dir, &entries, NULL, alphasort);
    size_t files = 0;
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            replay_file(path);
            files++;
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return files;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        size_t files = replay_folder(argv[i]);
        printf("%s: %zu files\n", argv[i], files);
        if (files == 0)
            return 1;
    }
    return 0;
}
