import { Module } from '@nestjs/common';
import { ProjectsModule } from '../projects/projects.module.js';
import { KeysController } from './keys.controller.js';
import { KeysService } from './keys.service.js';

@Module({ imports: [ProjectsModule], controllers: [KeysController], providers: [KeysService] })
export class KeysModule {}
