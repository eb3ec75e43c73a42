// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/table.h"

#include <algorithm>
#include <cmath>

#include "freeatm/core/error.h"
#include "freeatm/report/html.h"

#include "number.h"

namespace freeatm::report {
namespace {

std::string cell(const std::optional<double>& value, double greatest) {
  if (!value) return "<td class=\"number\">–</td>";
  const double share = greatest > 0 && std::isfinite(*value) ? std::clamp(*value / greatest, 0.0, 1.0) : 0.0;
  return "<td class=\"number\"><span class=\"bar\" style=\"--share:" + number(share) + "\">" + number(*value) +
         "</span></td>";
}

}  // namespace

std::string Table::html() const {
  std::vector<double> greatest(columns.size(), 0.0);
  for (const Row& row : rows) {
    FREEATM_CHECK(row.values.size() == columns.size(), "row '{}' has {} values for {} columns", row.name,
                  row.values.size(), columns.size());
    for (size_t i = 0; i < columns.size(); ++i) {
      if (row.values[i] && std::isfinite(*row.values[i])) greatest[i] = std::max(greatest[i], *row.values[i]);
    }
  }
  std::string html = "<div class=\"table\"><table>\n<thead><tr><th></th>";
  for (const std::string& column : columns) html += "<th scope=\"col\">" + escape(column) + "</th>";
  html += "</tr></thead>\n<tbody>\n";
  for (const Row& row : rows) {
    html += "<tr><th scope=\"row\">" + escape(row.name);
    if (!row.command.empty()) html += "<code>" + escape(row.command) + "</code>";
    html += "</th>";
    for (size_t i = 0; i < columns.size(); ++i) html += cell(row.values[i], greatest[i]);
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table></div>\n";
}

}  // namespace freeatm::report
