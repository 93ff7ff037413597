import type { WebToolSettings } from '../../infra/config/operator/web-tools.js';
import { calculator } from './calculator/calculator.tool.js';
import { generator } from './generator/generator.tool.js';
import { createLookupTool } from './lookup/lookup.tool.js';
import type { OperatorTools } from './operator-tools.js';
import { ToolRegistry } from './tool-registry.js';
import { createWebTools } from './web-tools.js';

/** Every tool of the product. */
export function createTools(
  web?: WebToolSettings,
  { tools, sources }: Pick<OperatorTools, 'tools' | 'sources'> = { tools: [], sources: [] },
): ToolRegistry {
  const own = [calculator, createLookupTool(), generator, ...(web ? createWebTools(web) : [])];
  return new ToolRegistry([...own, ...tools], sources);
}
