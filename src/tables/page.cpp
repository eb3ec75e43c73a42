// SPDX-License-Identifier: Apache-2.0
// table.html.
#include <algorithm>
#include <cmath>
#include <set>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/report/curves.h"
#include "freeatm/report/html.h"
#include "freeatm/report/interval_plot.h"
#include "freeatm/report/plot.h"
#include "freeatm/tables/results.h"
#include "freeatm/tables/run.h"

#include "numbers.h"

namespace freeatm::tables {
namespace {

using report::escape;

constexpr int64_t kCurvePoints = 150;

std::string cell_html(const CellResult& cell, int64_t digits) {
  if (!cell.has_cell) return "<td></td>";
  std::string html = escape(mean_text(cell, digits));
  if (cell.difference) {
    html += "<br><small>" + signed_fixed(cell.difference->of_pairs.mean, digits) + " " +
            escape(interval_text(*cell.difference, digits)) + "</small>";
  }
  if (cell.is_missed()) {
    html += "<br><strong>✗ " + fixed(cell.expected->value, digits) + " ± " + fixed(cell.expected->tolerance, digits) +
            " was expected</strong>";
  }
  return "<td class=\"number\">" + html + "</td>";
}

std::string table_html(const TableFile& table, const Results& results) {
  std::string html = "<div class=\"table\"><table>\n<thead><tr><th></th>";
  for (const Column& column : table.columns) html += "<th scope=\"col\">" + escape(column.title) + "</th>";
  html += "<th scope=\"col\">minutes</th></tr></thead>\n<tbody>\n";
  for (size_t row = 0; row < table.rows.size(); ++row) {
    html += "<tr><th scope=\"row\">" + escape(table.rows[row].title) + "</th>";
    for (size_t i = 0; i < table.columns.size(); ++i) html += cell_html(results.cells[row][i], table.columns[i].digits);
    html += "<td class=\"number\">" + fixed(results.minutes[row], 1) + "</td></tr>\n";
  }
  html += "</tbody>\n</table></div>\n<p>Mean ± deviation (seeds)";
  if (!table.baseline.empty())
    html += "; below, what the row has more than " + escape(table.row(table.baseline).title) +
            " over the seeds that both have, with its 95% interval (paired; Student's t)";
  return html + ".</p>\n";
}

/// A dot for each seed, a line for the mean, a bar of two deviations.
std::string plots_html(const TableFile& table, const Results& results) {
  std::string html;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    report::IntervalPlot plot{.title = table.columns[i].title, .x_label = table.columns[i].metric};
    for (size_t row = 0; row < table.rows.size(); ++row) {
      const CellResult& cell = results.cells[row][i];
      if (!cell.has_cell) continue;
      report::IntervalPlot::Row& drawn = plot.rows.emplace_back();
      drawn.name = table.rows[row].title;
      for (const auto& [seed, value] : cell.values) drawn.values.push_back(value);
      if (cell.summary && cell.summary->deviation) {
        drawn.bar = {cell.summary->mean - *cell.summary->deviation, cell.summary->mean + *cell.summary->deviation};
      }
      if (table.rows[row].name == table.baseline && cell.summary) plot.reference = cell.summary->mean;
    }
    html += plot.html();
  }
  return html;
}

/// The mean over seeds, of as many points as the shortest has.
report::Series mean_of(const std::vector<report::Series>& seeds, const std::string& name) {
  report::Series mean{name, {}, {}};
  size_t points = seeds.front().y.size();
  for (const report::Series& one : seeds) points = std::min(points, one.y.size());
  for (size_t i = 0; i < points; ++i) {
    double sum = 0;
    for (const report::Series& one : seeds) sum += one.y[i];
    mean.x.push_back(seeds.front().x[i]);
    mean.y.push_back(sum / double(seeds.size()));
  }
  return mean;
}

/// The curves of a row's trainings of one step, by what they are of.
std::map<std::string, std::vector<report::Series>> curves_of(const JobGraph& graph, const std::set<size_t>& jobs,
                                                             const fs::path& folder) {
  std::map<std::string, std::vector<report::Series>> curves;
  for (const size_t job : jobs) {
    const fs::path file = folder / graph.jobs[job].name / "metrics.jsonl";
    if (!fs::exists(file)) continue;
    try {
      for (auto& [name, series] : report::read_curves(file, ""))
        curves[name].push_back(report::thinned(series, kCurvePoints));
    } catch (const UserError& error) {
      log::warning("{}", error.what());
    }
  }
  return curves;
}

std::set<size_t> jobs_behind(const JobGraph& graph, const Plan& plan, size_t row, const std::string& step) {
  std::set<size_t> found, seen;
  const auto look = [&](const auto& self, size_t job) -> void {
    if (!seen.insert(job).second) return;
    if (graph.jobs[job].step == step) found.insert(job);
    for (const size_t input : graph.jobs[job].inputs) self(self, input);
  };
  for (const Cell& cell : graph.cells) {
    if (cell.row == row && cell.seed < plan.seeds) look(look, cell.job);
  }
  return found;
}

std::string curves_html(const TableFile& table, const JobGraph& graph, const Plan& plan, const RunOptions& options) {
  std::string html;
  for (const Step& step : table.rows.front().steps) {
    std::map<std::string, report::LinePlot> plots;
    for (size_t row = 0; row < table.rows.size(); ++row) {
      for (const auto& [name, seeds] : curves_of(graph, jobs_behind(graph, plan, row, step.name), options.runs)) {
        report::LinePlot& plot = plots[name];
        plot.title = step.name + ": " + name;
        plot.x_label = "step";
        plot.width = 420, plot.height = 260;
        plot.series.push_back(mean_of(seeds, table.rows[row].title));
      }
    }
    if (plots.empty()) continue;
    html += "<div class=\"plots\">\n";
    for (const auto& [name, plot] : plots) html += plot.html();
    html += "</div>\n";
  }
  return html;
}

}  // namespace

std::string page(const TableFile& table, const JobGraph& graph, const Plan& plan, const Results& results,
                 const RunOptions& options) {
  report::Page page(table.title, table.note,
                    results.missing > 0 ? format("{} values are not known yet", results.missing) : "");
  page.add("table", "Table", table_html(table, results));
  page.add("plots", "Seeds", plots_html(table, results));
  const std::string curves = curves_html(table, graph, plan, options);
  if (!curves.empty()) page.add("curves", "Curves, means over seeds", curves);
  std::string commands;
  std::set<std::string> said;
  for (const Job& job : graph.jobs) {
    if (said.insert(job.name).second) commands += command_line_of(job, options.runs) + "\n";
  }
  page.add("commands", "Commands", "<pre>" + escape(commands) + "</pre>\n");
  return page.html();
}

}  // namespace freeatm::tables
