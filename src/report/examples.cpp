// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/examples.h"

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/format.h"
#include "freeatm/report/html.h"

namespace freeatm::report {
namespace {

using nlohmann::json;

std::string cell_html(const json& cell, const fs::path& folder) {
  std::string mark, kind;
  if (cell.contains("right")) {
    kind = cell.at("right").get<bool>() ? " class=\"right\"" : " class=\"wrong\"";
    mark = cell.at("right").get<bool>() ? "<b>✓</b> " : "<b>✗</b> ";  // for who tells no colours apart
  }
  std::string picture;
  if (cell.contains("picture")) {
    const fs::path file = cell.at("picture").get<std::string>();
    if (file.is_absolute() || file.string().find("..") != std::string::npos)
      throw UserError((folder / "examples.json").string(), "picture", "'{}' lies outside of the folder", file.string());
    picture = format("<img alt=\"\" src=\"{}\">", data_uri("image/png", read_file(folder / file)));
  }
  return format("<figure{}>{}<figcaption>{}{}</figcaption></figure>\n", kind, picture, mark,
                escape(cell.at("text").get<std::string>()));
}

std::string rows_html(const fs::path& folder) {
  const fs::path file = folder / "examples.json";
  std::string html;
  try {
    for (const json& row : json::parse(read_file(file))) {
      html += format("<section class=\"example\"><h4>{}</h4><div>\n", escape(row.at("title").get<std::string>()));
      for (const json& cell : row.at("cells")) html += cell_html(cell, folder);
      html += "</div></section>\n";
    }
  } catch (const json::exception& error) {
    throw UserError(file.string(), "", "is not an evaluation's examples: {}", error.what());
  }
  return html;
}

}  // namespace

std::string examples_html(const std::vector<NamedFolder>& evaluations) {
  std::string html;
  for (const NamedFolder& folder : evaluations) {
    if (!fs::exists(folder.path / "examples.json")) continue;
    html += (evaluations.size() > 1 ? "<h3>" + escape(folder.name) + "</h3>\n" : "") + rows_html(folder.path);
  }
  return html;
}

}  // namespace freeatm::report
