package storagebench

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/go-analyze/charts"
)

// Plot draws how many times as much as the others the first target reached, as SVG with a logarithmic axis.
func (r Report) Plot(out io.Writer) error {
	if len(r.Targets) < 2 {
		return errors.New("there is nothing to compare with")
	}
	var labels []string
	values := make([][]float64, len(r.Targets)-1)
	for _, results := range r.rows() {
		if len(results) != len(r.Targets) {
			continue
		}
		labels = append(labels, fmt.Sprintf("%s, %d", results[0].Row, results[0].Callers))
		for i, other := range results[1:] {
			values[i] = append(values[i], math.Log10(results[0].PerSecond/other.PerSecond))
		}
	}
	o := charts.NewBarChartOptionWithData(values)
	o.Horizontal = true
	o.Title.Text = fmt.Sprintf("%s: times the work per second, %d documents", r.Targets[0], r.Documents)
	o.Legend.SeriesNames = r.Targets[1:]
	o.CategoryAxis.Labels = labels
	o.ValueAxis = []charts.ValueAxisOption{{ValueFormatter: times}}
	for i := range o.SeriesList {
		o.SeriesList[i].Label = charts.SeriesLabel{Show: charts.Ptr(true), ValueFormatter: times}
	}
	const top, each, wide = 120, 26, 1000
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: wide, Height: top + each*len(labels)*len(values)})
	if err := p.BarChart(o); err != nil {
		return fmt.Errorf("draw the plot: %w", err)
	}
	svg, err := p.Bytes()
	if err != nil {
		return fmt.Errorf("draw the plot: %w", err)
	}
	_, err = out.Write(svg)
	return err
}

func times(log float64) string { return short(math.Pow(10, log)) + "×" }
