import type * as vscode from 'vscode';
import { activateExtension, type TestView } from '../extension.ts';
import { nodePlatform } from './nodePlatform.ts';

/** Entry of the Node build: the only place that VS Code knows by name. */
export function activate(context: vscode.ExtensionContext): TestView | undefined {
  return activateExtension(context, nodePlatform);
}
