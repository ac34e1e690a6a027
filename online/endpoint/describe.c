#include "online/endpoint/describe.h"

#include "base/number.h"
#include "online/endpoint/worker.h"
#include "online/rows.h"

const char *const describe_extensions[] = {"binary_tensor_data", "model_repository", NULL};

void describe_server(const char *name, struct buf *ret)
{
    buf_text(ret, "{\"name\":");
    rows_json_text(ret, slice_of(name));
    buf_text(ret, ",\"version\":\"" FRESHET_VERSION "\",\"extensions\":[");
    for (size_t i = 0; describe_extensions[i]; i++)
        buf_printf(ret, "%s\"%s\"", i > 0 ? "," : "", describe_extensions[i]);
    buf_text(ret, "]}\n");
}

static void put_form(const struct tensor_form *form, struct buf *ret)
{
    buf_text(ret, "{\"name\":");
    rows_json_text(ret, slice_of(form->name));
    buf_printf(ret, ",\"datatype\":\"%s\",\"shape\":[", form->datatype);
    for (size_t i = 0; i < form->n_dims; i++) {
        if (i > 0)
            buf_byte(ret, ',');
        buf_int(ret, form->shape[i]);
    }
    buf_text(ret, "]}");
}

static void put_columns(const struct vector_schema *columns, struct buf *ret)
{
    for (size_t i = 0; i < columns->n_dense; i++) {
        if (i > 0)
            buf_byte(ret, ',');
        rows_json_text(ret, slice_of(columns->dense[i]));
    }
}

void describe_model(const struct served *served, struct buf *ret)
{
    const struct served *scorer = served_scorer(served);
    buf_text(ret, "{\"name\":");
    rows_json_text(ret, slice_of(served->name));
    buf_printf(ret, ",\"versions\":[\"%u\"],\"platform\":\"%s\",\"inputs\":[",
               registry_version(scorer->registry), scorer->platform);
    for (size_t i = 0; i < served_n_inputs(served); i++) {
        struct tensor_form form = served_input(served, i);
        if (i > 0)
            buf_byte(ret, ',');
        put_form(&form, ret);
    }
    buf_text(ret, "],\"outputs\":[");
    for (size_t i = 0; i < served_n_outputs(served); i++) {
        struct tensor_form form = served_output(served, i);
        if (i > 0)
            buf_byte(ret, ',');
        put_form(&form, ret);
    }
    buf_text(ret, "],\"parameters\":{\"columns\":[");
    put_columns(served->columns, ret);
    buf_byte(ret, ']');
    if (served->champion) {
        buf_text(ret, ",\"model\":");
        rows_json_text(ret, slice_of(scorer->name));
    }
    buf_text(ret, "}}\n");
}

void describe_index(const struct worker *worker, struct buf *ret)
{
    const struct catalog *catalog = worker->options->catalog;
    buf_byte(ret, '[');
    for (size_t i = 0; i < catalog->n; i++) {
        const struct served *served = &catalog->items[i];
        buf_text(ret, i > 0 ? ",{\"name\":" : "{\"name\":");
        rows_json_text(ret, slice_of(served->name));
        buf_printf(ret, ",\"version\":\"%u\",\"state\":%s}", served_version(served),
                   worker_serves(worker, served) ? "\"READY\""
                                                 : "\"UNAVAILABLE\",\"reason\":\"unloaded\"");
    }
    buf_text(ret, "]\n");
}
