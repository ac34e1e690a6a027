/*
 * A row's logit taken apart: each number's share (itself, its logarithm and its bin), each cross's,
 * each category's field's. Together with the bias they are the logit.
 */
#include "models/ftrl.h"

static double of_number(const struct ftrl *ftrl, const struct ftrl_row *row, size_t i)
{
    double own = (double)ftrl->w[ftrl->linear.at + i] * (double)row->linear[i] +
                 (double)ftrl->w[ftrl->log.at + i] * (double)row->log[i];
    if (ftrl->evidence)
        return own + (double)ftrl->w[ftrl->woe.at + i] * (double)row->woe[i];
    return own + (double)ftrl->w[row->cells[i]]; /* bins of numbers come first, in their order */
}

static double of_key(const struct ftrl *ftrl, const struct ftrl_row *row, size_t i)
{
    size_t at = sparse_table_find(&ftrl->table, row->keys[i]);
    return at == SPARSE_NONE ? 0 : (double)ftrl->table.cells[at].weight * (double)row->values[i];
}

static double of_key_cross(const struct ftrl *ftrl, const struct ftrl_row *row, size_t cross)
{
    double sum = 0;
    for (size_t i = row->cross_keys[cross]; i < row->cross_keys[cross + 1]; i++)
        sum += of_key(ftrl, row, i);
    return sum;
}

/* Whether entry i is the first of its field. */
static bool is_first(const struct vector *vector, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (vector->sparse[j].field == vector->sparse[i].field)
            return false;
    return true;
}

/* Keys of categories lie in the order of the entries whose fields are used. */
static double of_field(const struct ftrl *ftrl, const struct vector *vector,
                       const struct ftrl_row *row, uint32_t field)
{
    double sum = 0;
    size_t key = 0;
    for (size_t i = 0; i < vector->n_sparse && key < row->cross_keys[0]; i++) {
        uint32_t of = vector->sparse[i].field;
        if (of == field)
            sum += of_key(ftrl, row, key);
        key += ftrl->field_salt[of] != 0;
    }
    return sum;
}

double ftrl_explain(const struct model *model, const struct vector *vector, struct reasons *ret)
{
    const struct ftrl *ftrl = (const struct ftrl *)(const void *)model;
    struct ftrl_row row;
    ftrl_look(ftrl, vector, &row);
    for (size_t i = 0; i < ftrl->n_numbers; i++)
        reasons_offer(ret, ftrl->number_names[i], of_number(ftrl, &row, i));
    for (size_t i = 0; i < ftrl->n_crosses; i++)
        reasons_offer(ret, ftrl->crosses[i].name, (double)ftrl->w[row.cells[row.first_cross + i]]);
    for (size_t i = 0; i < vector->n_sparse; i++) {
        uint32_t field = vector->sparse[i].field;
        if (ftrl->field_salt[field] != 0 && is_first(vector, i))
            reasons_offer(ret, ftrl->field_names[field], of_field(ftrl, vector, &row, field));
    }
    for (size_t i = 0; i < ftrl->n_key_crosses; i++)
        reasons_offer(ret, ftrl->key_crosses[i].name, of_key_cross(ftrl, &row, i));
    return (double)ftrl->w[0] - ftrl_offset(ftrl);
}
