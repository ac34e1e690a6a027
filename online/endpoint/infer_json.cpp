#include "online/endpoint/infer_json.h"

#include <cstring>
#include <limits>
#include <new>
#include <string_view>
#include <type_traits>
#include <vector>

#include <simdjson.h>

using namespace simdjson;

struct infer_json {
    dom::parser parser;
    std::vector<infer_json_input> inputs;
    std::vector<infer_json_output> outputs;
    std::vector<dom::element> data; /* one an input */
};

namespace
{

/* Past these nothing sensible is asked, and what is nested deeper is no tensor. */
constexpr size_t INPUTS_MAX = INFER_TENSORS_MAX, OUTPUTS_MAX = 64;

slice slice_from(std::string_view text)
{
    return slice{text.data(), text.size()};
}

/* ---- elements into memory */

const char NOT_WHOLE[] = "has data that are no whole numbers of its type";
const char NOT_NUMBER[] = "has data that are no numbers";
const char NOT_BOOL[] = "has data that are not true or false";
const char NOT_TEXT[] = "has data that are no strings";
const char TOO_MANY[] = "has more data than its shape says";
const char TOO_FEW[] = "has less data than its shape says";

struct filling {
    char *at;
    buf *texts;
    size_t left; /* elements still to come */
};

template <typename T> void put(filling &to, T value)
{
    std::memcpy(to.at, &value, sizeof value);
    to.at += sizeof value;
}

template <typename T> const char *put_whole(filling &to, dom::element element)
{
    int64_t v;
    uint64_t large;
    using limits = std::numeric_limits<T>;
    if (element.get_int64().get(v) == SUCCESS) {
        bool below = std::is_unsigned<T>::value ? v < 0 : v < static_cast<int64_t>(limits::min());
        if (below || (v > 0 && static_cast<uint64_t>(v) > static_cast<uint64_t>(limits::max())))
            return NOT_WHOLE;
        put(to, static_cast<T>(v));
        return nullptr;
    }
    if (!std::is_same<T, uint64_t>::value || element.get_uint64().get(large))
        return NOT_WHOLE;
    put(to, static_cast<T>(large));
    return nullptr;
}

template <typename T> const char *put_real(filling &to, dom::element element)
{
    double v = std::numeric_limits<double>::quiet_NaN();
    if (!element.is_null() && element.get_double().get(v))
        return NOT_NUMBER;
    put(to, static_cast<T>(v));
    return nullptr;
}

const char *put_bool(filling &to, dom::element element)
{
    bool v;
    if (element.get_bool().get(v))
        return NOT_BOOL;
    put(to, static_cast<uint8_t>(v));
    return nullptr;
}

const char *put_text(filling &to, dom::element element)
{
    std::string_view text;
    if (element.get_string().get(text))
        return NOT_TEXT;
    buf_u32(to.texts, static_cast<uint32_t>(text.size()));
    buf_append(to.texts, text.data(), text.size());
    return nullptr;
}

using put_fn = const char *(*)(filling &, dom::element);

constexpr put_fn puts_of[INFER_TYPES] = {put_bool,
                                         put_whole<uint8_t>,
                                         put_whole<uint16_t>,
                                         put_whole<uint32_t>,
                                         put_whole<uint64_t>,
                                         put_whole<int8_t>,
                                         put_whole<int16_t>,
                                         put_whole<int32_t>,
                                         put_whole<int64_t>,
                                         put_real<float>,
                                         put_real<double>,
                                         put_text};

const char *fill(filling &to, put_fn one, dom::element element, int depth)
{
    dom::array array;
    if (element.get_array().get(array)) {
        if (to.left == 0)
            return TOO_MANY;
        to.left--;
        return one(to, element);
    }
    if (depth > INFER_DIMS_MAX)
        return "has data that are nested too deep";
    for (dom::element child : array)
        if (const char *why = fill(to, one, child, depth + 1))
            return why;
    return nullptr;
}

const char *fill_all(infer_json *json, size_t input, enum infer_type type, size_t n, char *at,
                     buf *texts)
{
    filling to = {at, texts, n};
    if (!json->inputs[input].has_data)
        return "has no data";
    if (const char *why = fill(to, puts_of[type], json->data[input], 0))
        return why;
    return to.left > 0 ? TOO_FEW : nullptr;
}

/* ---- the request */

const char *read_shape(dom::element element, infer_json_input &ret)
{
    dom::array array;
    if (element.get_array().get(array))
        return "an input's \"shape\" is no list";
    for (dom::element child : array) {
        if (ret.n_dims == INFER_DIMS_MAX)
            return "an input's \"shape\" has too many dimensions";
        if (child.get_int64().get(ret.shape[ret.n_dims++]))
            return "an input's \"shape\" is no list of whole numbers";
    }
    return nullptr;
}

const char *read_text(dom::element element, const char *what, slice &ret)
{
    std::string_view text;
    if (element.get_string().get(text))
        return what;
    ret = slice_from(text);
    return nullptr;
}

bool find_bool(dom::element parameters, const char *name, bool fallback)
{
    bool v;
    return parameters.at_key(name).get_bool().get(v) == SUCCESS ? v : fallback;
}

const char *read_input_key(std::string_view key, dom::element value, infer_json_input &input,
                           dom::element &data)
{
    if (key == "name")
        return read_text(value, "an input's \"name\" is no string", input.name);
    if (key == "datatype")
        return read_text(value, "an input's \"datatype\" is no string", input.datatype);
    if (key == "shape")
        return read_shape(value, input);
    if (key == "data") {
        input.has_data = true;
        data = value;
    } else if (key == "parameters") {
        int64_t size;
        if (value.at_key("binary_data_size").get_int64().get(size) == SUCCESS && size >= 0)
            input.binary_size = size;
    }
    return nullptr;
}

const char *read_input(infer_json *json, dom::element element)
{
    infer_json_input input = {};
    dom::element data;
    dom::object object;
    input.binary_size = -1;
    if (element.get_object().get(object))
        return "an input is no object";
    if (json->inputs.size() == INPUTS_MAX)
        return "too many inputs";
    for (auto field : object)
        if (const char *why = read_input_key(field.key, field.value, input, data))
            return why;
    if (!input.name.data || !input.datatype.data)
        return "an input lacks \"name\" or \"datatype\"";
    json->inputs.push_back(input);
    json->data.push_back(data);
    return nullptr;
}

const char *read_output(infer_json *json, dom::element element)
{
    infer_json_output output = {};
    dom::element parameters;
    if (element.at_key("name").get_string().error())
        return "an output has no \"name\"";
    if (json->outputs.size() == OUTPUTS_MAX)
        return "too many outputs";
    output.name = slice_from(element.at_key("name").get_string().value());
    if (element.at_key("parameters").get(parameters) == SUCCESS)
        output.binary = find_bool(parameters, "binary_data", false);
    json->outputs.push_back(output);
    return nullptr;
}

const char *read_list(infer_json *json, dom::element list, const char *what,
                      const char *(*one)(infer_json *, dom::element))
{
    dom::array array;
    if (list.get_array().get(array))
        return what;
    for (dom::element child : array)
        if (const char *why = one(json, child))
            return why;
    return nullptr;
}

const char *read_key(infer_json *json, std::string_view key, dom::element value,
                     infer_json_request &ret)
{
    if (key == "id")
        return read_text(value, "\"id\" is no string", ret.id);
    if (key == "inputs")
        return read_list(json, value, "\"inputs\" is no list", read_input);
    if (key == "outputs")
        return read_list(json, value, "\"outputs\" is no list", read_output);
    if (key == "parameters")
        ret.binary_outputs = find_bool(value, "binary_data_output", false);
    return nullptr;
}

const char *read_request(infer_json *json, slice text, infer_json_request &ret)
{
    dom::element root;
    dom::object object;
    if (error_code error = json->parser.parse(text.data, text.len, true).get(root))
        return error_message(error);
    if (root.get_object().get(object))
        return "not a JSON object";
    for (auto field : object)
        if (const char *why = read_key(json, field.key, field.value, ret))
            return why;
    return nullptr;
}

} // namespace

extern "C" infer_json *infer_json_create(void)
{
    return new (std::nothrow) infer_json;
}

extern "C" void infer_json_free(infer_json *json)
{
    delete json;
}

extern "C" const char *infer_json_parse(infer_json *json, slice text, infer_json_request *ret)
{
    *ret = infer_json_request{};
    json->inputs.clear();
    json->outputs.clear();
    json->data.clear();
    if (text.len == 0)
        return "the body is empty";
    try {
        const char *why = read_request(json, text, *ret);
        ret->inputs = json->inputs.data();
        ret->n_inputs = json->inputs.size();
        ret->outputs = json->outputs.data();
        ret->n_outputs = json->outputs.size();
        return why;
    } catch (const std::bad_alloc &) {
        return "too large for the memory there is";
    }
}

extern "C" const char *infer_json_fill(infer_json *json, size_t input, enum infer_type type,
                                       size_t n, char *ret)
{
    return fill_all(json, input, type, n, ret, nullptr);
}

extern "C" const char *infer_json_fill_texts(infer_json *json, size_t input, size_t n, buf *ret)
{
    return fill_all(json, input, INFER_BYTES, n, nullptr, ret);
}
