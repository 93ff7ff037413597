import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { DataSource } from 'typeorm';
import type { ApiClient } from '../../cli/client/api-client.js';
import { readLocalApi } from '../../infra/database/api-keys.js';
import { createDataSource } from '../../infra/database/data-source.js';
import { complaintsOf, openBrowser } from './browser.js';
import { SupervisedStack } from './supervised-stack.js';

/** A stack, and somebody who looks at its dashboard in a browser. `openPage` begins anew, as in another browser. */
export class WatchedStack {
  readonly stack = new SupervisedStack();
  client!: ApiClient;
  dataSource!: DataSource;
  url!: string;
  page!: Page;
  /** Errors in the console of the page, and exceptions that nobody caught. */
  complaints!: string[];
  private browser!: Browser;
  private context!: BrowserContext;

  async start(): Promise<void> {
    [this.browser] = await Promise.all([openBrowser(), this.stack.start()]);
    this.client = await this.stack.client();
    this.url = this.stack.urls!.api;
    this.dataSource = await createDataSource(this.stack.urls!.database, 'command').initialize();
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.dataSource.destroy();
    await this.stack.remove();
  }

  async openPage(): Promise<void> {
    this.context = await this.browser.newContext({ viewport: { width: 1280, height: 900 }, baseURL: this.url });
    this.page = await this.context.newPage();
    this.complaints = complaintsOf(this.page);
  }

  async closePage(): Promise<void> {
    await this.context.close();
  }

  /** By a link, as the quickstart prints it; with the stack's own key, or another. */
  async signIn(key?: string): Promise<void> {
    const api = (await readLocalApi(`${this.stack.data}/api.json`))!;
    const headers = { Authorization: `Bearer ${key ?? api.key}` };
    const answer = await fetch(`${this.url}/v1/sign_in_links`, { method: 'POST', headers });
    const { path } = (await answer.json()) as { path: string };
    await this.page.goto(path);
    await this.page.getByRole('heading', { name: 'Training runs' }).waitFor();
  }

  /** Presses a button that asks whether one is sure, and is. */
  async confirm(verb: string): Promise<void> {
    await this.page.getByRole('button', { name: verb, exact: true }).click();
    await this.page.getByRole('dialog').getByRole('button', { name: verb, exact: true }).click();
    await this.page.getByRole('dialog').waitFor({ state: 'hidden' });
  }
}
