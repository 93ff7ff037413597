import { Module } from '@nestjs/common';
import { RegisteredController } from './registered.controller.js';

@Module({ controllers: [RegisteredController] })
export class RegisteredModule {}
