/* Which tables are written past the page cache, decided table by table. RocksDB's own switch is for
 * a whole database and for good, and its C interface has neither listeners nor file systems. */
#include "ingest/store_rocks_direct.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>

#include <atomic>
#include <memory>
#include <string>

struct rocksdb_options_t { /* as RocksDB's own db/c.cc has it */
    rocksdb::Options rep;
};

/* The next file that this thread makes. A listener hears of a table just before its file is made,
 * on the same thread; the file itself does not tell whose it is. */
static thread_local bool next_is_direct;

struct store_rocks_files : public rocksdb::EventListener {
    std::atomic<const char *> cached{nullptr};

    void OnTableFileCreationStarted(const rocksdb::TableFileCreationBriefInfo &table) override
    {
        const char *family = cached;
        next_is_direct = !family || table.cf_name != family;
    }
};

namespace
{

class Files : public rocksdb::FileSystemWrapper
{
  public:
    Files() : FileSystemWrapper(rocksdb::FileSystem::Default())
    {
    }
    const char *Name() const override
    {
        return "freshet";
    }
    rocksdb::IOStatus NewWritableFile(const std::string &name, const rocksdb::FileOptions &options,
                                      std::unique_ptr<rocksdb::FSWritableFile> *ret,
                                      rocksdb::IODebugContext *debug) override
    {
        rocksdb::FileOptions mine = options;
        mine.use_direct_writes = mine.use_direct_writes || next_is_direct;
        next_is_direct = false;
        return target()->NewWritableFile(name, mine, ret, debug);
    }
};

} // namespace

struct store_rocks_files *store_rocks_write_direct(rocksdb_options_t *options)
{
    /* One for the process: databases that are closed may still have a thread in it. */
    static rocksdb::Env *env = rocksdb::NewCompositeEnv(std::make_shared<Files>()).release();
    auto files = std::make_shared<store_rocks_files>();
    options->rep.env = env;
    options->rep.listeners.push_back(files);
    return files.get();
}

void store_rocks_cache(struct store_rocks_files *files, const char *family)
{
    files->cached.store(family, std::memory_order_relaxed);
}
