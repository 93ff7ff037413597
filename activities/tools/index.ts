import type { PolicyClient } from '../engines/policy-client.js';
import { calculator } from './calculator/calculator.tool.js';
import { createGeneratorTool } from './generator/generator.tool.js';
import { createLookupTool } from './lookup/lookup.tool.js';
import { ToolRegistry } from './tool-registry.js';

/** Every tool of the product. */
export function createTools(client: PolicyClient): ToolRegistry {
  return new ToolRegistry([calculator, createLookupTool(), createGeneratorTool(client)]);
}
