import type { WebToolSettings } from '../../infra/config/operator/web-tools.js';
import { calculator } from './calculator/calculator.tool.js';
import { generator } from './generator/generator.tool.js';
import { createLookupTool } from './lookup/lookup.tool.js';
import { ToolRegistry } from './tool-registry.js';
import { createWebTools } from './web-tools.js';

/** Every tool of the product. */
export function createTools(web?: WebToolSettings): ToolRegistry {
  return new ToolRegistry([calculator, createLookupTool(), generator, ...(web ? createWebTools(web) : [])]);
}
