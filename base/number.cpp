#include "base/number.h"

#include <charconv>
#include <cmath>
#include <string_view>

/* The sign of a NaN carries no meaning here, so that it is not written either. */
static size_t write_nan(char *ret)
{
    return std::string_view("nan").copy(ret, 3);
}

template <typename T> static size_t shortest(T v, char *ret)
{
    if (std::isnan(v))
        return write_nan(ret);
    return static_cast<size_t>(std::to_chars(ret, ret + NUMBER_TEXT_MAX, v).ptr - ret);
}

size_t number_from_double(double v, char *ret)
{
    return shortest(v, ret);
}

size_t number_from_float(float v, char *ret)
{
    return shortest(v, ret);
}

size_t number_from_double_17(double v, char *ret)
{
    if (std::isnan(v))
        return write_nan(ret);
    char *end = ret + NUMBER_TEXT_MAX;
    return static_cast<size_t>(std::to_chars(ret, end, v, std::chars_format::general, 17).ptr -
                               ret);
}

size_t number_from_int(int64_t v, char *ret)
{
    return static_cast<size_t>(std::to_chars(ret, ret + NUMBER_TEXT_MAX, v).ptr - ret);
}

/* Past a leading '+', which from_chars does not know; NULL if no digit or point follows the sign,
 * which also keeps out the "inf" and "nan" that from_chars does know. */
static const char *number_start(struct slice text)
{
    const char *at = text.data, *end = text.data + text.len;
    if (at < end && *at == '+')
        ++at;
    const char *digit = at + (at < end && at == text.data && *at == '-');
    bool numeric = digit < end && ((*digit >= '0' && *digit <= '9') || *digit == '.');
    return numeric ? at : nullptr;
}

template <typename T> static enum status parse(struct slice text, T *ret)
{
    const char *start = number_start(text), *end = text.data + text.len;
    if (!start)
        return ST_EINVAL;
    T v{};
    std::from_chars_result result = std::from_chars(start, end, v);
    if (result.ec != std::errc() || result.ptr != end)
        return ST_EINVAL;
    *ret = v;
    return ST_OK;
}

enum status number_to_double(struct slice text, double *ret)
{
    return parse(text, ret);
}

enum status number_to_int(struct slice text, int64_t *ret)
{
    return parse(text, ret);
}
