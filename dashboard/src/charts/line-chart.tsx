import { Button, Group, Paper, Title, useComputedColorScheme } from '@mantine/core';
import { LineChart as Lines } from 'echarts/charts';
import { AriaComponent, DataZoomComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { connect, init, use as register, type ECharts } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import { number } from '../common/format.js';
import { toCsv, type Series } from './series.js';

register([Lines, AriaComponent, DataZoomComponent, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

interface ChartProps {
  title: string;
  /** What the values are counted in. */
  unit: string;
  series: readonly Series[];
  /** Areas on top of each other instead of lines. */
  stacked?: boolean;
  /** Charts of one group share their zoom and the step that is pointed at. */
  group: string;
}

/** Values by training step, which can be zoomed into and taken along as a picture or a table. */
export function LineChart({ title, unit, series, stacked = false, group }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts>(null);
  const scheme = useComputedColorScheme('light');

  useEffect(() => {
    const made = init(place.current, scheme === 'dark' ? 'dark' : undefined);
    made.group = group;
    connect(group);
    chart.current = made;
    const resize = new ResizeObserver(() => made.resize());
    resize.observe(place.current!);
    return () => {
      resize.disconnect();
      made.dispose();
    };
  }, [group, scheme]);

  useEffect(() => {
    chart.current?.setOption(option({ title, unit, series, stacked }), { replaceMerge: ['series'] });
  }, [title, unit, series, stacked, scheme]);

  const picture = (): void => {
    const url = chart.current?.getDataURL({
      type: 'png',
      pixelRatio: 2,
      backgroundColor: scheme === 'dark' ? '#1b1b1b' : '#fff',
    });
    if (url) download(url, `${title}.png`);
  };
  const table = (): void =>
    download(`data:text/csv;charset=utf-8,${encodeURIComponent(toCsv(series))}`, `${title}.csv`);

  return (
    <Paper withBorder p="sm" component="section" aria-label={title}>
      <Group justify="space-between" wrap="nowrap">
        <Title order={3} size="h5">
          {title}
        </Title>
        <Group gap={4} wrap="nowrap">
          <Button variant="subtle" size="compact-xs" onClick={picture} aria-label={`${title} as PNG`}>
            PNG
          </Button>
          <Button variant="subtle" size="compact-xs" onClick={table} aria-label={`${title} as CSV`}>
            CSV
          </Button>
        </Group>
      </Group>
      <div ref={place} className="chart" />
    </Paper>
  );
}

function option({ title, unit, series, stacked }: Required<Omit<ChartProps, 'group'>>) {
  return {
    aria: { enabled: true, label: { description: `${title} by training step, in ${unit}.` } },
    animation: false,
    backgroundColor: 'transparent',
    grid: { left: 56, right: 16, top: 36, bottom: 60 },
    legend: { type: 'scroll', top: 0 },
    tooltip: { trigger: 'axis', valueFormatter: (value: unknown) => number(value as number | null), confine: true },
    xAxis: {
      type: 'value',
      name: 'step',
      nameLocation: 'middle',
      nameGap: 22,
      minInterval: 1,
      min: 'dataMin',
      max: 'dataMax',
    },
    yAxis: { type: 'value', name: unit, scale: !stacked, axisLabel: { formatter: number } },
    dataZoom: [{ type: 'inside' }, { type: 'slider', height: 16, bottom: 6 }],
    series: series.map(({ name, points }) => ({
      type: 'line',
      name,
      data: points,
      showSymbol: points.length < 60,
      sampling: 'lttb',
      ...(stacked && { stack: 'all', areaStyle: {} }),
    })),
  };
}

function download(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}
