/*
 * In place of conf_yaml.c where a build does without libyaml (FRESHET_MODELS_ONLY): every text is
 * refused. Options then come from structs, or from conf_read() of no node, which gives defaults.
 */
#include "base/conf_node.h"

enum status conf_yaml_parse(struct conf *conf, struct slice text, struct conf_errors *errors)
{
    (void)conf;
    (void)text;
    conf_complain(errors, NULL, "this build reads no YAML");
    return ST_EINVAL;
}
