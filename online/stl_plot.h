/*
 * online/stl_plot.h -- the classic picture of a decomposition: the series and its parts below one
 * another over one axis of time, as SVG.
 *
 * Each panel has a scale of its own; the grey bar at its right end is equally high in all of them,
 * so that a long bar tells of a small part. The remainder is drawn as bars from 0, forecasts
 * dashed.
 */
#ifndef ONLINE_STL_PLOT_H
#define ONLINE_STL_PLOT_H

#include "online/stl_table.h"

/* y: what the parts add up to, which is series->y or its transform. ret: appended to. */
void stl_plot(const struct stl_table *series, const double *y, const struct stl_table_parts *parts,
              struct buf *ret);

#endif
