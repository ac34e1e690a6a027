/* online/stl_follow.h -- `freshet stl --online`: each line of a series is taken apart as it comes.
 */
#ifndef ONLINE_STL_FOLLOW_H
#define ONLINE_STL_FOLLOW_H

#include "online/stl_options.h"

/* Reads options->input line by line and writes `y,trend,seasonal,remainder,forecast,score` and
 * f1..fH to standard output, each line before the next is waited for. Returns the command's status:
 * 0; 1 after what is wrong with the series, 2 after what is wrong with the options, has been said
 * on stderr. Lines before the one that is wrong have been written. */
int stl_follow(const struct stl_options *options);

#endif
